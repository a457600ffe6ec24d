/*
 * Room: how many processes and threads each user may have here, so that nobody takes all slots.
 *
 * Root and whoever booted the kernel have no limit but the kernel's own. A user's entry lives as
 * long as it has connections.
 */
#include "server/server.h"

#define THREADS_PER_PROCESS 16 /* on average */
#define CONNECTIONS_MOST (MM_SLOT_COUNT + 64)

struct server_room {
    LIST_ENTRY Links;
    ULONG UserId;
    LONG Processes, Threads;
    BOOLEAN Limited;
};

static struct {
    KSPIN_LOCK Lock;
    LIST_ENTRY Users;
    LONG Connections;
} Rooms;

void room_init(void)
{
    KeInitializeSpinLock(&Rooms.Lock);
    InitializeListHead(&Rooms.Users);
    Rooms.Connections = 0;
}

static struct server_room *find(ULONG UserId)
{
    for (PLIST_ENTRY Link = Rooms.Users.Flink; Link != &Rooms.Users; Link = Link->Flink) {
        struct server_room *Room = CONTAINING_RECORD(Link, struct server_room, Links);

        if (Room->UserId == UserId)
            return Room;
    }
    return NULL;
}

static BOOLEAN is_full(const struct server_room *Room)
{
    return Rooms.Connections >= CONNECTIONS_MOST ||
           (Room->Limited && Room->Processes >= (LONG)ServerSettings.ProcessesPerUser);
}

struct server_room *room_enter(ULONG UserId)
{
    struct server_room *New = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*New), 'mooR'), *Room;
    KIRQL Irql;

    if (!New)
        return NULL;
    New->UserId = UserId;
    New->Limited = UserId != 0 && UserId != host_user_id();
    KeAcquireSpinLock(&Rooms.Lock, &Irql);
    Room = find(UserId);
    if (!Room && !is_full(New)) {
        InsertHeadList(&Rooms.Users, &New->Links);
        Room = New;
        New = NULL;
    }
    if (Room && is_full(Room))
        Room = NULL;
    if (Room) {
        Room->Processes++;
        Rooms.Connections++;
    }
    KeReleaseSpinLock(&Rooms.Lock, Irql);
    if (New)
        ExFreePoolWithTag(New, 'mooR');
    return Room;
}

void room_leave(struct server_room *Room)
{
    BOOLEAN Last;
    KIRQL Irql;

    KeAcquireSpinLock(&Rooms.Lock, &Irql);
    Rooms.Connections--;
    Last = --Room->Processes == 0;
    if (Last)
        RemoveEntryList(&Room->Links);
    KeReleaseSpinLock(&Rooms.Lock, Irql);
    if (Last)
        ExFreePoolWithTag(Room, 'mooR');
}

BOOLEAN room_take_thread(struct server_room *Room)
{
    BOOLEAN Taken;
    KIRQL Irql;

    KeAcquireSpinLock(&Rooms.Lock, &Irql);
    Taken = !Room->Limited ||
            Room->Threads < (LONG)ServerSettings.ProcessesPerUser * THREADS_PER_PROCESS;
    Room->Threads += Taken;
    KeReleaseSpinLock(&Rooms.Lock, Irql);
    return Taken;
}

void room_return_thread(struct server_room *Room)
{
    KIRQL Irql;

    KeAcquireSpinLock(&Rooms.Lock, &Irql);
    Room->Threads--;
    KeReleaseSpinLock(&Rooms.Lock, Irql);
}
