-- migration 6: the database as a site's nodes reach it; '': the conductor alone takes the journals in

ALTER TABLE site ADD COLUMN {new} ingest {text} NOT NULL DEFAULT '';
