import FrontBounds
import NIOCore
import ServiceLifecycle

/// Runs a service's tasks on an event loop, for one that requests wait for: between loops and the system's own threads a
/// change of thread would cost as much as the work.
struct OnEventLoop: Service {
    private let service: any Service
    private let executor: LoopExecutor

    init(_ service: any Service, _ group: any EventLoopGroup) {
        self.service = service
        executor = LoopExecutor(group.next())
    }

    func run() async throws {
        let service = service
        try await withTaskExecutorPreference(executor) { try await service.run() }
    }
}
