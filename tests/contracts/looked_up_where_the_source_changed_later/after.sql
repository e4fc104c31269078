UPDATE p SET product = s.product FROM s WHERE s.id = p.sale; UPDATE s SET product = 11 WHERE id = 1;
