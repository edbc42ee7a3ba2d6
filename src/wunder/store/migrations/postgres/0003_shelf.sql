-- Packages and media are compressed already: pieces are stored as they are.
ALTER TABLE shelf ALTER COLUMN content SET STORAGE EXTERNAL;
