import FrontBounds
import NIOCore
import ServiceLifecycle

/// Runs a service's tasks on an event loop, for one that requests wait for: what wakes it comes to its thread at once, where
/// the system's own threads hand it on to each other.
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
