"""Files of rows that name music, whatever else is in them: read to be written again with more columns."""
