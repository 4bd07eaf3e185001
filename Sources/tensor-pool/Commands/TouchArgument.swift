public import AllocationTrace
public import ArgumentParser

extension Touch: ExpressibleByArgument {}
