"""A replica set of three mongods on loopback that elects within seconds."""

from typing import Any, Self

from pymongo import MongoClient

from service.embedded import EmbeddedMongo

SET = "three"
ELECTION_MS = 1000  # without a primary for this long the others elect; the default of 10 s makes slow tests


class ReplicaSet:
    """Three members; `members` are to be killed, frozen and started one by one."""

    def __init__(self) -> None:
        arguments = ["--setParameter", "enableTestCommands=1"]
        self.members = [EmbeddedMongo(replica_set=SET, initiate=False, extra_args=arguments) for _ in range(3)]

    @property
    def url(self) -> str:
        return self.uri("")

    def uri(self, database: str) -> str:
        hosts = ",".join(f"127.0.0.1:{member.port}" for member in self.members)
        return f"mongodb://{hosts}/{database}?replicaSet={SET}"

    def start(self) -> Self:
        """Start and join the members, and wait for their primary."""
        self.launch()
        self.wait_ready()
        return self

    def launch(self) -> None:
        try:
            for member in self.members:
                member.launch()
        except BaseException:
            self.stop()
            raise

    def wait_ready(self) -> None:
        try:
            for member in self.members:
                member.wait_ready()
            self._initiate()
            self.primary()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        for member in self.members:
            member.stop()

    def primary(self) -> EmbeddedMongo:
        """Return the member that takes writes, waiting for an election."""
        client: MongoClient[dict[str, Any]] = MongoClient(self.url, serverSelectionTimeoutMS=30_000)
        with client:
            client.admin.command("ping")
            hello = client.admin.command("hello")
        return next(member for member in self.members if str(hello["primary"]).endswith(f":{member.port}"))

    def step_down(self) -> None:
        """Make the primary give up its office for ten seconds."""
        client: MongoClient[dict[str, Any]] = MongoClient(
            "127.0.0.1", self.primary().port, directConnection=True, timeoutMS=20_000
        )
        with client:
            client.admin.command("replSetStepDown", 10, secondaryCatchUpPeriodSecs=5)

    def _initiate(self) -> None:
        members = [{"_id": place, "host": f"127.0.0.1:{member.port}"} for place, member in enumerate(self.members)]
        settings = {"electionTimeoutMillis": ELECTION_MS, "heartbeatIntervalMillis": 300}
        client: MongoClient[dict[str, Any]] = MongoClient("127.0.0.1", self.members[0].port, directConnection=True)
        with client:
            client.admin.command("replSetInitiate", {"_id": SET, "members": members, "settings": settings})
