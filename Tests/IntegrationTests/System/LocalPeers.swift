import Foundation
import TestPeers

/// The private PostgreSQL and Mosquitto of a `muster dev`, to be killed and started again as an operator would.
struct LocalPeers: Sendable {
    let state: String

    /// Kills the database's main process; its children go with it.
    func killDatabase(_ signal: String) async throws {
        try await Shell.run("kill -\"$2\" \"$(head -n 1 \"$1/postgres/data/postmaster.pid\")\"", state, signal)
        let data = state + "/postgres/data"
        // Those who outlive their parent hold the shared memory that the next start needs.
        try await Eventually.holds("the end of PostgreSQL in \(data)", seconds: 90) {
            try await Shell.run(
                "for p in $(pgrep -x postgres || true); do [ \"$(readlink /proc/$p/cwd)\" != \"$1\" ] || echo $p; done",
                data
            ).isEmpty
        }
    }

    /// Starts the database again as the owner of its data.
    /// - Parameter starter: The program, and its arguments, that becomes the database.
    func startDatabase(_ starter: [String] = []) async throws {
        try await Shell.run(
            Self.asOwner
                + """
                # Nobody runs on it any more; where nobody reaps it, the dead one's id still looks alive.
                rm -f "$1/postgres/data/postmaster.pid" "$1"/postgres/socket/.s.PGSQL.*.lock
                program=$(ls /usr/lib/postgresql/*/bin/pg_ctl | tail -n 1)
                state=$1; shift
                as_owner "$state/postgres/data" "$@" "$program" start -w -t 60 -s -D "$state/postgres/data" \
                    -l "$state/postgres/postgresql.log" || { tail -n 5 "$state/postgres/postgresql.log" >&2; exit 1; }
                """,
            [state] + starter
        )
    }

    /// Kills the broker as a crash would.
    func killBroker() async throws {
        try await Shell.run(
            """
            pid=$(cat "$1/mosquitto/mosquitto.pid"); kill -KILL "$pid"
            # A dead process that nobody reaps has no program any more.
            for try in $(seq 100); do readlink "/proc/$pid/exe" >/dev/null || exit 0; sleep 0.1; done; exit 1
            """,
            state
        )
    }

    /// Starts the broker again with the settings that it had.
    func startBroker() async throws {
        try await Shell.run(
            Self.asOwner
                + """
                rm -f "$1/mosquitto/mosquitto.pid"
                PATH=$PATH:/usr/sbin as_owner "$1/mosquitto/data" mosquitto -d -c "$1/mosquitto/mosquitto.conf"
                """,
            state
        )
    }

    /// Runs a program as the owner of a folder. Its output goes to a file, since what it leaves running would hold
    /// a pipe.
    private static let asOwner = """
        as_owner() {
            folder=$1; shift; cd /; said=$(mktemp)
            if [ "$(id -u)" = 0 ]; then set -- runuser -u "$(stat -c %U "$folder")" -- "$@"; fi
            "$@" >"$said" 2>&1 || { cat "$said" >&2; rm "$said"; return 1; }
            rm "$said"
        }

        """
}
