// Who imports TensorTrace has the trace formats too.
@_exported public import AllocationTrace
