UPDATE s SET j = '[]';
