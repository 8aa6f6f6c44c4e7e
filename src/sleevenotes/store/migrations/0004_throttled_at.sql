-- When a host last told us to slow down: soon after it, some services' finding nothing proves no absence.

ALTER TABLE budgets ADD COLUMN throttled_at timestamptz;
