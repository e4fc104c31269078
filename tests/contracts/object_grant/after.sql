REVOKE ALL ON t FROM PUBLIC; GRANT UPDATE ON t TO contract_reader; GRANT SELECT (a) ON t TO contract_writer;
