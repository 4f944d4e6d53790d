/* vandal.c - a peer that sends rubbish; see sim.h */
#include "tests/sim/sim.h"

static void vandalise(struct sim *sim, const struct sim_event *event)
{
    struct sim_connection *connection = event->subject;
    uint8_t octets[64];
    struct wire_header header = {.command = (enum wire_command)(1 + sim_draw(sim, WIRE_COMMAND_END - 1)),
                                 .flags = (uint32_t)sim_draw(sim, 64),
                                 .session = sim_draw(sim, 3)};
    size_t size = wire_header_encode(&header, octets, sizeof(octets));
    if (size > 0 && sim_chance(sim, 500))
        octets[sim_draw(sim, size)] ^= (uint8_t)sim_draw(sim, 256);
    if (sim_chance(sim, 200))
        size = (size_t)sim_draw(sim, size + 1);
    network_send_raw(sim, connection, octets, size);
    if (sim->quiet_ms == 0)
        sim_later(sim, sim_draw(sim, 200), vandalise, connection, 0);
}

void vandal_start(struct sim *sim)
{
    if (sim_chance(sim, 300))
        sim_later(sim, sim_draw(sim, 100), vandalise, network_connect(sim, NULL, NULL), 0);
}
