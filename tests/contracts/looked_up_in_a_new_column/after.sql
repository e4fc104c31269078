ALTER TABLE p ADD product bigint; UPDATE p SET product = s.product FROM s WHERE s.id = p.sale;
