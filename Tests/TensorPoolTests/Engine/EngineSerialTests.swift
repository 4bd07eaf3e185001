import CThreadSlot
import Testing

@testable import TensorPool

@Suite struct EngineSerialTests {
    @Test(arguments: [0, 1, UInt32(tensorpool_engine_capacity) - 1], [1, 77, UInt64(1) << 38 - 1])
    func aSerialTellsItsEngine(number: UInt32, claim: UInt64) {
        let serial = EngineSerial.make(number: number, claim: claim)
        #expect(EngineSerial.number(serial) == number)
        #expect(serial < 1 << EngineSerial.bits, "a route has sixteen bits more")
        #expect(serial != EngineSerial.make(number: number, claim: claim - 1))
        let route = RouteTable.Route(rawValue: serial << 16 | UInt64(BlockKind.span(1000).rawValue))
        #expect(route.engine == number && route.serial == serial && route.kind == .span(1000))
    }
}
