internal import Synchronization

/// The threads that own a plan or once did; kept until the plan ends, since one that is no more the owner may still
/// look at its session.
@safe struct PlanSessions: ~Copyable, @unchecked Sendable {
    private var all: [UnsafeMutablePointer<PlanCore.Session>] = unsafe []

    /// The session of a thread, made at its first time.
    mutating func session(of thread: UnsafeMutableRawPointer) -> UnsafeMutablePointer<PlanCore.Session> {
        for index in unsafe all.indices where unsafe all[index].pointee.thread == thread { return unsafe all[index] }
        let session = UnsafeMutablePointer<PlanCore.Session>.allocate(capacity: 1)
        unsafe session.initialize(to: PlanCore.Session(thread: thread))
        unsafe all.append(session)
        return unsafe session
    }

    deinit {
        for index in unsafe all.indices {
            unsafe all[index].deinitialize(count: 1)
            unsafe all[index].deallocate()
        }
    }
}
