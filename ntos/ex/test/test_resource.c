/* ERESOURCE. */
#include "ex_test.h"

static ERESOURCE Resource;

static void Begin(void)
{
    assert_success(ExInitializeResourceLite(&Resource));
    KeEnterCriticalRegion();
}

static void End(void)
{
    KeLeaveCriticalRegion();
    assert_success(ExDeleteResourceLite(&Resource));
}

/* One acquisition by another thread, held until told. */
typedef struct HOLDER {
    EX_TEST_THREAD Thread;
    KEVENT Held, Leave;
    BOOLEAN(NTAPI *Acquire)(PERESOURCE, BOOLEAN);
    BOOLEAN Wait, Taken;
} HOLDER;

static void Hold(void *Context)
{
    HOLDER *Holder = Context;

    KeEnterCriticalRegion();
    Holder->Taken = Holder->Acquire(&Resource, Holder->Wait);
    KeSetEvent(&Holder->Held, 0, FALSE);
    if (Holder->Taken) {
        ExTestWait(&Holder->Leave);
        ExReleaseResourceLite(&Resource);
    }
    KeLeaveCriticalRegion();
}

static void Start(HOLDER *Holder, BOOLEAN(NTAPI *Acquire)(PERESOURCE, BOOLEAN), BOOLEAN Wait)
{
    KeInitializeEvent(&Holder->Held, NotificationEvent, FALSE);
    KeInitializeEvent(&Holder->Leave, NotificationEvent, FALSE);
    Holder->Acquire = Acquire;
    Holder->Wait = Wait;
    ExTestThread(&Holder->Thread, Hold, Holder);
}

static void Finish(HOLDER *Holder)
{
    KeSetEvent(&Holder->Leave, 0, FALSE);
    ExTestJoin(&Holder->Thread);
}

static BOOLEAN Try(BOOLEAN(NTAPI *Acquire)(PERESOURCE, BOOLEAN))
{
    static HOLDER Holder;

    Start(&Holder, Acquire, FALSE);
    Finish(&Holder);
    return Holder.Taken;
}

static void ExclusiveIsRecursiveAndKeepsOthersOut(void **Unused)
{
    Begin();
    assert_true(ExAcquireResourceExclusiveLite(&Resource, FALSE));
    assert_true(ExAcquireResourceExclusiveLite(&Resource, TRUE));
    assert_true(ExAcquireResourceSharedLite(&Resource, TRUE));
    assert_true(ExIsResourceAcquiredExclusiveLite(&Resource));
    assert_int_equal(ExIsResourceAcquiredSharedLite(&Resource), 3);
    assert_false(Try(ExAcquireResourceExclusiveLite));
    assert_false(Try(ExAcquireResourceSharedLite));
    for (int i = 0; i < 3; i++)
        ExReleaseResourceLite(&Resource);
    assert_int_equal(ExIsResourceAcquiredSharedLite(&Resource), 0);
    assert_true(Try(ExAcquireResourceExclusiveLite));
    End();
}

static void ManyThreadsShareAndAWriterWaitsForAll(void **Unused)
{
    static HOLDER Readers[10], Writer;

    Begin();
    for (int i = 0; i < 10; i++) {
        Start(&Readers[i], ExAcquireResourceSharedLite, TRUE);
        ExTestWait(&Readers[i].Held);
    }
    Start(&Writer, ExAcquireResourceExclusiveLite, TRUE);
    ExTestUntilWaiting(&Writer.Thread);
    assert_int_equal(ExGetExclusiveWaiterCount(&Resource), 1);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(KeReadStateEvent(&Writer.Held), 0);
        Finish(&Readers[i]);
    }
    ExTestWait(&Writer.Held);
    assert_int_equal(ExGetExclusiveWaiterCount(&Resource), 0);
    Finish(&Writer);
    End();
}

static void ANewReaderWaitsBehindAWriterButAnOldOneDoesNot(void **Unused)
{
    static HOLDER Writer;

    Begin();
    assert_true(ExAcquireResourceSharedLite(&Resource, TRUE));
    Start(&Writer, ExAcquireResourceExclusiveLite, TRUE);
    ExTestUntilWaiting(&Writer.Thread);
    assert_false(Try(ExAcquireResourceSharedLite));
    assert_false(Try(ExAcquireSharedWaitForExclusive));
    assert_true(Try(ExAcquireSharedStarveExclusive));
    assert_true(ExAcquireResourceSharedLite(&Resource, FALSE)); /* holds it already */
    assert_false(ExAcquireSharedWaitForExclusive(&Resource, FALSE));
    ExReleaseResourceLite(&Resource);
    ExReleaseResourceLite(&Resource);
    ExTestWait(&Writer.Held);
    Finish(&Writer);
    End();
}

static void ConvertingLetsWaitingReadersIn(void **Unused)
{
    static HOLDER Reader;

    Begin();
    ExAcquireResourceExclusiveLite(&Resource, TRUE);
    Start(&Reader, ExAcquireResourceSharedLite, TRUE);
    ExTestUntilWaiting(&Reader.Thread);
    assert_int_equal(ExGetSharedWaiterCount(&Resource), 1);
    ExConvertExclusiveToSharedLite(&Resource);
    ExTestWait(&Reader.Held);
    assert_false(ExIsResourceAcquiredExclusiveLite(&Resource));
    assert_int_equal(ExIsResourceAcquiredSharedLite(&Resource), 1);
    ExReleaseResourceLite(&Resource);
    Finish(&Reader);
    End();
}

static void ReleaseForAnother(void *Thread)
{
    ExReleaseResourceForThreadLite(&Resource, (ERESOURCE_THREAD)Thread);
}

static void AnotherThreadMayReleaseForTheOwner(void **Unused)
{
    static EX_TEST_THREAD Thread;

    Begin();
    ExAcquireResourceExclusiveLite(&Resource, TRUE);
    ExTestThread(&Thread, ReleaseForAnother, (void *)(ULONG_PTR)KeGetCurrentThread());
    ExTestJoin(&Thread);
    assert_true(Try(ExAcquireResourceExclusiveLite));
    End();
}

static void AnOwnerPointerTakesTheThreadsPlace(void **Unused)
{
    PVOID Owner = (PVOID)((ULONG_PTR)&Resource | 3);

    Begin();
    ExAcquireResourceSharedLite(&Resource, TRUE);
    ExSetResourceOwnerPointer(&Resource, Owner);
    assert_int_equal(ExIsResourceAcquiredSharedLite(&Resource), 0);
    assert_false(Try(ExAcquireResourceExclusiveLite));
    ExReleaseResourceForThreadLite(&Resource, (ERESOURCE_THREAD)Owner);
    assert_true(Try(ExAcquireResourceExclusiveLite));
    End();
}

static void ReleasingWhatOneDoesNotOwnIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;

    Begin();
    VF_EXPECT_BUGCHECK (&Record) {
        ExReleaseResourceLite(&Resource);
    }
    assert_int_equal(Record.Code, RESOURCE_NOT_OWNED);
    assert_int_equal(Record.Parameters[0], (ULONG_PTR)&Resource);
    assert_int_equal(Record.Parameters[1], (ULONG_PTR)KeGetCurrentThread());
    End();
}

static void AcquiringWithApcsEnabledIsABugCheck(void **Unused)
{
    VF_BUGCHECK Record;

    assert_success(ExInitializeResourceLite(&Resource));
    VF_EXPECT_BUGCHECK (&Record) {
        ExAcquireResourceExclusiveLite(&Resource, TRUE);
    }
    assert_int_equal(Record.Code, 0xC4);
    assert_int_equal(Record.Parameters[0], 0x37);
    assert_int_equal(Record.Parameters[3], (ULONG_PTR)&Resource);
    ExDeleteResourceLite(&Resource);
}

static void ALiveResourceIsFoundInItsMemory(void **Unused)
{
    ULONG Kind;
    PVOID Object;

    assert_false(ExFindObjectInRange(&Resource, sizeof(Resource), &Kind, &Object));
    ExInitializeResourceLite(&Resource);
    assert_true(ExFindObjectInRange(&Resource, sizeof(Resource), &Kind, &Object));
    assert_int_equal(Kind, 0xD2);
    assert_ptr_equal(Object, &Resource);
    ExDeleteResourceLite(&Resource);
    assert_false(ExFindObjectInRange(&Resource, sizeof(Resource), &Kind, &Object));
}

static ULONG Value, Writers;

static void Stress(void *Seed)
{
    ULONG Random = (ULONG)(ULONG_PTR)Seed;

    for (int i = 0; i < 2000; i++) {
        Random = Random * 1664525 + 1013904223;
        if (Random >> 30 == 0) {
            ExEnterCriticalRegionAndAcquireResourceExclusive(&Resource);
            assert_int_equal(__atomic_fetch_add(&Writers, 1, __ATOMIC_RELAXED), 0);
            Value++;
            if (i % 3 == 0)
                ExConvertExclusiveToSharedLite(&Resource);
            __atomic_fetch_sub(&Writers, 1, __ATOMIC_RELAXED);
        } else if (Random >> 30 == 1) {
            KeEnterCriticalRegion();
            ExAcquireSharedStarveExclusive(&Resource, TRUE);
        } else {
            ExEnterCriticalRegionAndAcquireResourceShared(&Resource);
            ExAcquireResourceSharedLite(&Resource, TRUE);
            ExReleaseResourceLite(&Resource);
        }
        ExReleaseResourceAndLeaveCriticalRegion(&Resource);
    }
}

static void ReadersAndWritersUnderStressKeepTheRules(void **Unused)
{
    static EX_TEST_THREAD Threads[6];

    ExInitializeResourceLite(&Resource);
    Writers = 0;
    for (ULONG_PTR i = 0; i < 6; i++)
        ExTestThread(&Threads[i], Stress, (void *)(i + 1));
    for (int i = 0; i < 6; i++)
        ExTestJoin(&Threads[i]);
    assert_int_equal(Resource.ActiveCount, 0);
    ExDeleteResourceLite(&Resource);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        EX_TEST(ExclusiveIsRecursiveAndKeepsOthersOut),
        EX_TEST(ManyThreadsShareAndAWriterWaitsForAll),
        EX_TEST(ANewReaderWaitsBehindAWriterButAnOldOneDoesNot),
        EX_TEST(ConvertingLetsWaitingReadersIn),
        EX_TEST(AnotherThreadMayReleaseForTheOwner),
        EX_TEST(AnOwnerPointerTakesTheThreadsPlace),
        EX_TEST(ReleasingWhatOneDoesNotOwnIsABugCheck),
        EX_TEST(AcquiringWithApcsEnabledIsABugCheck),
        EX_TEST(ALiveResourceIsFoundInItsMemory),
        EX_TEST(ReadersAndWritersUnderStressKeepTheRules),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
