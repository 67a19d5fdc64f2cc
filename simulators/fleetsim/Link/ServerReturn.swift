import Foundation
import NIOCore
import NIOPosix

/// Waits for a server that is away, for all devices together, so that all of them hear at the same moment that it is
/// back: a storm.
actor ServerReturn {
    /// Between two looks.
    static let interval: Duration = .milliseconds(100)

    private let group: any EventLoopGroup
    private let endpoint: LoopbackEndpoint
    private var watch: Task<Bool, Never>?

    init(group: any EventLoopGroup, endpoint: LoopbackEndpoint) {
        self.group = group
        self.endpoint = endpoint
    }

    /// - Parameter limit: How long the first who waits does at most.
    /// - Returns: True if the server takes connections again, false if it did not in time or the run was ended.
    func isBack(within limit: Duration) async -> Bool {
        let watch = watch ?? start(limit)
        let isBack = await withTaskCancellationHandler {
            await watch.value
        } onCancel: {
            // Only the end of the whole run cancels devices.
            watch.cancel()
        }
        if self.watch == watch { self.watch = nil }
        return isBack
    }

    private func start(_ limit: Duration) -> Task<Bool, Never> {
        FileHandle.standardError.write(Data("the server is away; devices wait for it\n".utf8))
        // Unstructured: all devices wait for this one look-out, and none of them is its parent.
        let started = Task { [group, endpoint] in
            let deadline = ContinuousClock.now + limit
            while ContinuousClock.now < deadline, !Task.isCancelled {
                if let channel = try? await ClientBootstrap(group: group).connect(to: endpoint.address).get() {
                    // A port that nobody listens on may be chosen for the connection itself, which then meets itself.
                    let isServer = channel.localAddress != channel.remoteAddress
                    try? await channel.close()
                    if isServer { return true }
                }
                try? await Task.sleep(for: Self.interval)
            }
            return false
        }
        watch = started
        return started
    }
}
