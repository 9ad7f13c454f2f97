{% macro references_across_sources() -%}
    {#- staging model -> its raw table, and column -> the model that holds what it names -#}
    {{ return({
        'stg_campaign__events': {
            'source': 'activity',
            'entity': 'campaign_events',
            'key': 'event_id',
            'columns': {
                'campaign_id': 'stg_campaign__campaigns',
                'customer_id': 'stg_shop__customers',
            },
        },
        'stg_activity__product_events': {
            'source': 'activity',
            'entity': 'product_events',
            'key': 'event_id',
            'columns': {
                'product_id': 'stg_shop__products',
                'customer_id': 'stg_shop__customers',
            },
        },
        'stg_activity__searches': {
            'source': 'activity',
            'entity': 'searches',
            'key': 'search_id',
            'columns': {
                'clicked_product_id': 'stg_shop__products',
                'customer_id': 'stg_shop__customers',
            },
        },
        'stg_activity__cart_events': {
            'source': 'activity',
            'entity': 'cart_events',
            'key': 'event_id',
            'columns': {
                'product_id': 'stg_shop__products',
                'customer_id': 'stg_shop__customers',
            },
        },
        'stg_activity__trigger_sends': {
            'source': 'activity',
            'entity': 'trigger_sends',
            'key': 'trigger_id',
            'columns': {
                'product_id': 'stg_shop__products',
                'customer_id': 'stg_shop__customers',
            },
        },
        'stg_affiliate__clicks': {
            'source': 'activity',
            'entity': 'affiliate_clicks',
            'key': 'click_id',
            'columns': {
                'affiliate_id': 'stg_affiliate__affiliates',
                'product_id': 'stg_shop__products',
                'customer_id': 'stg_shop__customers',
            },
        },
    }) }}
{%- endmacro %}
