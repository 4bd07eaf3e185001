import CParentProcess

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The process that started this one to have something measured.
public enum ParentProcess {
    /// The environment variable that says which it is. Who sets it for a process asks it to call ``follow()``.
    public static let variable = "TENSOR_POOL_PARENT"

    /// Has this process be killed when the one that the environment names ends, whichever way that ends: nobody would
    /// take what is measured. Linux alone can. Nothing happens without the variable, which is taken away.
    ///
    /// To be called before there is a second thread.
    public static func follow() {
        // Nobody changes the environment meanwhile.
        guard let text = unsafe getenv(variable), let parent = unsafe pid_t(String(cString: text)) else { return }
        // What this process starts has another parent.
        unsafe unsetenv(variable)
        // Where it ended before the system was asked, the system says nothing.
        if tensorpool_end_with_parent(), getppid() != parent { _exit(1) }
    }
}
