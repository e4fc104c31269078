ALTER TABLE s RENAME note TO remark;
