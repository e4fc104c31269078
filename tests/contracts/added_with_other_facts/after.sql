ALTER TABLE t ADD c text;
