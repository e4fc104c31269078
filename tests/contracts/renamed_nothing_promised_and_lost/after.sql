ALTER TABLE s DROP note; ALTER TABLE s ADD remark text;
