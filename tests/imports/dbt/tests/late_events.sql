{# whole rows are returned #}
select * from {{ source('raw', 'events') }} where loaded_at < happened_at
