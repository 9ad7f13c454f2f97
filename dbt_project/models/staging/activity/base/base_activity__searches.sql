{{ stored_once(source('raw_activity', 'searches'), 'search_id') }}
