/* The registry of handles: pairs of process and handle, in the order of their registration, and
 * their names, packed. */
#include "protocol.h"

ULONG RegistryBucket(HANDLE Process, HANDLE Handle)
{
    ULONG Mixed = (ULONG)((ULONG_PTR)Process >> 2) * 0x9E3779B1u + (ULONG)((ULONG_PTR)Handle >> 2);

    return Mixed * 0x85EBCA6Bu >> 20;
}

ULONG RegistryFind(const PROTOCOL *Protocol, HANDLE Process, HANDLE Handle)
{
    const SPY_PROTOCOL *Data = Protocol->Data;
    ULONG i;

    if (!Handle || !Protocol->Known[RegistryBucket(Process, Handle)])
        return 0;
    for (i = 0; i < Data->sh.dHandles; i++)
        if (Data->ahObjects[i] == Handle && Data->ahProcesses[i] == Process)
            return i + 1;
    return 0;
}

static ULONG Length(PCWSTR Text)
{
    ULONG Count = 0;

    while (Text[Count])
        Count++;
    return Count + 1;
}

/* Shifts what lies behind the slot, and behind its name, down. */
VOID RegistryRemove(PROTOCOL *Protocol, ULONG Slot)
{
    SPY_PROTOCOL *Data = Protocol->Data;
    ULONG At = Slot - 1, Behind = Data->sh.dHandles - Slot, i;
    ULONG Name = Data->adNames[At], Characters = Length(Data->awNames + Name);

    InterlockedDecrement(
        &Protocol->Known[RegistryBucket(Data->ahProcesses[At], Data->ahObjects[At])]);
    RtlMoveMemory(Data->awNames + Name, Data->awNames + Name + Characters,
                  (Data->sh.dName - Name - Characters) * sizeof(WCHAR));
    Data->sh.dName -= Characters;
    RtlMoveMemory(Data->ahProcesses + At, Data->ahProcesses + Slot, Behind * sizeof(HANDLE));
    RtlMoveMemory(Data->ahObjects + At, Data->ahObjects + Slot, Behind * sizeof(HANDLE));
    RtlMoveMemory(Data->adNames + At, Data->adNames + Slot, Behind * sizeof(ULONG));
    Data->sh.dHandles--;
    for (i = At; i < Data->sh.dHandles; i++)
        Data->adNames[i] -= Characters;
}

/* The oldest goes when there are too many. 0: no handle, or no room for the name. */
ULONG RegistryAdd(PROTOCOL *Protocol, HANDLE Process, HANDLE Handle, PCWSTR Name)
{
    SPY_PROTOCOL *Data = Protocol->Data;
    ULONG Characters = Length(Name), Old, At;

    if (!Handle)
        return 0;
    Old = RegistryFind(Protocol, Process, Handle);
    if (Old)
        RegistryRemove(Protocol, Old);
    if (Data->sh.dHandles == SPY_HANDLES)
        RegistryRemove(Protocol, 1);
    if (SPY_NAME_BUFFER - Data->sh.dName < Characters)
        return 0;
    At = Data->sh.dHandles++;
    Data->ahProcesses[At] = Process;
    Data->ahObjects[At] = Handle;
    Data->adNames[At] = Data->sh.dName;
    RtlCopyMemory(Data->awNames + Data->sh.dName, Name, Characters * sizeof(WCHAR));
    Data->sh.dName += Characters;
    InterlockedIncrement(&Protocol->Known[RegistryBucket(Process, Handle)]);
    return At + 1;
}

PCWSTR RegistryName(const PROTOCOL *Protocol, ULONG Slot)
{
    return Protocol->Data->awNames + Protocol->Data->adNames[Slot - 1];
}
