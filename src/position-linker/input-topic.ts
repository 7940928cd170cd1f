/** Topics the linker reads, in the order that breaks ties of the merge. */
export const ORDER_EVENTS_TOPIC = 'order-manager.order_events';
export const POSITION_TOPIC = 'ws-gateway.position';
/** Topics its inputs rest on. */
export const ORDER_TOPIC = 'ws-gateway.order';
export const EXECUTION_TOPIC = 'ws-gateway.execution';
