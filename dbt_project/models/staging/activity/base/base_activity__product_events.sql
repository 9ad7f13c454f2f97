{{ stored_once(source('raw_activity', 'product_events'), 'event_id') }}
