UPDATE p SET product = s.product FROM s WHERE s.id = p.sale; UPDATE p SET product = 30 - product WHERE id IN (2, 3);
