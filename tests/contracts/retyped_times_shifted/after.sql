SET TimeZone = 'Asia/Kolkata'; ALTER TABLE m ALTER at TYPE timestamptz;
