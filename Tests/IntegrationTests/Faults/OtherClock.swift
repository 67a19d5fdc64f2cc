import Foundation
import TestPeers

/// Programs whose clock shows another time than the machine's. Only the time of day is other: what measures how long
/// something takes goes on as it is, which libfaketime 0.9.10 does not grant to Swift's clocks.
struct OtherClock: Sendable {
    private let folder: TemporaryDirectory
    private let library: String

    /// Compiles what programs load before the C library, by the C compiler that comes with Swift, or another.
    init() async throws {
        folder = try TemporaryDirectory(prefix: "mclock")
        // The database's user must be able to read it.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        library = folder.path + "/clock.so"
        try await Shell.run(
            """
            PATH=$PATH:/opt/swift/usr/bin
            compiler=$(command -v clang || command -v cc)
            "$compiler" -shared -fPIC -O1 -o "$2" "$1"
            chmod 755 "$2"
            """,
            folder.write("clock.c", Self.source.utf8),
            library
        )
    }

    /// What stands before a program so that its clock is so many seconds ahead, or behind if negative.
    func starter(ahead seconds: Int) -> [String] { ["env", "LD_PRELOAD=\(library)", "CLOCK_AHEAD=\(seconds)"] }

    private static let source = """
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        static long ahead(void) {
            const char *text = getenv("CLOCK_AHEAD");
            return text ? atol(text) : 0;
        }

        int clock_gettime(clockid_t clock, struct timespec *at) {
            int status = syscall(SYS_clock_gettime, clock, at);
            if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += ahead();
            return status;
        }

        int gettimeofday(struct timeval *at, void *zone) {
            struct timespec now;
            (void)zone;
            clock_gettime(CLOCK_REALTIME, &now);
            at->tv_sec = now.tv_sec;
            at->tv_usec = now.tv_nsec / 1000;
            return 0;
        }

        time_t time(time_t *at) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (at) *at = now.tv_sec;
            return now.tv_sec;
        }

        """
}
