// __try in a loop and in a switch: break, continue and goto mean what they say; locals survive an exception.
#include <windows.h>
#include <excpt.h>

static void Raise(void)
{
    EXCEPTION_RECORD Record = {.ExceptionCode = 0xE0000001};

    NtSehRaise(&Record);
}

static int Loops(void)
{
    int Rounds = 0, Finished = 0, Caught = 0;

    for (int i = 0; i < 10; i++) {
        __try {
            Rounds++;
            if (i == 2)
                continue;
            if (i == 5)
                break;
            if (i == 3)
                Raise();
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Caught++;
            continue;
        }
        Finished++;
    }
    return Rounds * 100 + Finished * 10 + Caught; // 6 rounds, 3 finished, 1 caught
}

static int Switch(int Selector)
{
    int Result = 0;

    switch (Selector) {
    case 1:
        try {
            Result = 1;
            break;
        } finally {
            Result += 10;
        }
        Result = 99;
    case 2:
        try {
            while (TRUE) {
                Result = 2;
                leave;
            }
        } except (EXCEPTION_EXECUTE_HANDLER) {
            Result = 99;
        }
        break;
    }
    return Result;
}

static int Unbraced(int Enter)
{
    int Result = 0;

    if (Enter)
        __try {
            Result = 1;
            Raise();
        } __except (GetExceptionCode() == 0xE0000001 ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
            Result = Result * 10 + 2;
        }
    else
        Result = 3;
    return Result;
}

static int Locals(volatile int *Nowhere)
{
    int Changed = 1;

    __try {
        for (int i = 0; i < 4; i++)
            Changed += i;
        if (Nowhere == NULL)
            Raise();
        Changed = 99;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return Changed;
    }
    return -1;
}

int main(void)
{
    if (Loops() != 631)
        return 1;
    if (Switch(1) != 11)
        return 2;
    if (Switch(2) != 2)
        return 3;
    if (Unbraced(1) != 12 || Unbraced(0) != 3)
        return 4;
    if (Locals(NULL) != 7)
        return 5;
    return 0;
}
