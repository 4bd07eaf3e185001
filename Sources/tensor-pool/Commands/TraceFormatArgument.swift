public import AllocationTrace
public import ArgumentParser

extension TraceFormat: ExpressibleByArgument {}
