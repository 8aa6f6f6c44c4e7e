-- Questions whose answer opens an artist's releases, of whom many names wait (decision 9): they go before an import's others.

ALTER TABLE wants ADD COLUMN opens boolean NOT NULL DEFAULT false;
