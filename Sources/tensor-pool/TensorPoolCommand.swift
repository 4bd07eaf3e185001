import AllocationTrace
import ArgumentParser

@main
struct TensorPoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tensor-pool",
        abstract: "Analyses what a program's tensors cost, and measures pools, jemalloc and malloc on them.",
        discussion: """
            'analyze' reads what a PyTorch profile, an RMM log or 'record' says of a program's allocations, and tells \
            what they cost, which pool and settings suit them, and what that gains, measured by replaying; 'report' \
            makes a page of it, 'replay' measures more, 'plan' lays a repeating workload out in one slab. 'gap', \
            'compare' and 'demo' need no trace.

            Exit codes: 0 done; 1 a measurement or a file failed, with the reason on standard error; 2 no plan fits \
            (plan), or an estimate differs (check-estimate); 64 wrong arguments; 'record' ends as the program that it ran.

            Examples:
              tensor-pool analyze profile.json.gz
              tensor-pool record -- python3 train.py
              tensor-pool gap --help
              tensor-pool --generate-completion-script bash > ~/.tensor-pool.bash
            """,
        subcommands: [
            GapCommand.self, CompareCommand.self, DemoCommand.self, ReplayCommand.self, ConvertCommand.self,
            PlanCommand.self, AnalyzeCommand.self, CheckEstimateCommand.self, ReportCommand.self, RecordCommand.self,
            MainJobCommand.self, LookCommand.self,
        ]
    )

    static func main() {
        ParentProcess.follow()
        main(nil)
    }
}
