package import NIOCore

/// Runs tasks on an event loop: a request's on that of its connection, so that neither the request nor its answer changes
/// threads.
package final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    package init(_ loop: any EventLoop) { self.loop = loop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// What all connections of an event loop share.
package struct FrontLoop: Sendable {
    package let executor: LoopExecutor
    package let deadlines: NIOLoopBoundBox<LoopDeadlines>

    package init(_ loop: any EventLoop) {
        executor = LoopExecutor(loop)
        deadlines = NIOLoopBoundBox.makeBoxSendingValue(LoopDeadlines(loop), eventLoop: loop)
    }

    /// That of each loop of a group, by the loop.
    package static func all(of group: any EventLoopGroup) -> [ObjectIdentifier: FrontLoop] {
        Dictionary(uniqueKeysWithValues: group.makeIterator().map { (ObjectIdentifier($0), FrontLoop($0)) })
    }
}
