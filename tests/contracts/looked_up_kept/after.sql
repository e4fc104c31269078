UPDATE p SET product = s.product FROM s WHERE s.id = p.sale;
