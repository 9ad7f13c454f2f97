{{ last_delivered(source('raw_activity', 'affiliate_clicks'), 'click_id') }}
