/* ordered.h - where a version's orders stand among its bytes: what ordered_driver.c and orders.c agree on */
#ifndef DROVER_TESTS_ORDERED_H
#define DROVER_TESTS_ORDERED_H

#define ORDERS_MARK "<orders of drover's tests>"
#define ORDERS_SIZE 256
#define ORDERS_INTERFACE "ordered"

#endif
