/** Topics the linker reads, in the order that breaks ties of the merge. */
export const ORDER_EVENTS_TOPIC = 'order-manager.order_events';
export const POSITION_TOPIC = 'ws-gateway.position';
