ALTER TABLE p ALTER mood TYPE mood USING CASE mood WHEN 'ok' THEN 'ok'::mood ELSE 'sad' END;
