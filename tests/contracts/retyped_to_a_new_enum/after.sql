CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TABLE p ALTER mood TYPE mood USING mood::mood;
