UPDATE f SET a = 'meh';
UPDATE f SET b = 'sad';
