// BullMQ in one process; a job is completed, and removed, after its processor.
const { createRequire } = require("node:module");
const require_ = createRequire(process.env.PEERS + "/package.json"); // installed apart from this script
const { Queue, Worker } = require_("bullmq");
const { MongoClient } = require_("mongodb");

const CONCURRENCY = 20, WRITERS = 500, BULK = 500;

async function main() {
  const [redisUrl, mongodbUri, count] = process.argv.slice(2);
  const total = Number(count), url = new URL(redisUrl);
  const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };
  const client = await new MongoClient(mongodbUri).connect();
  const counters = client.db().collection("peer", { writeConcern: { w: "majority", journal: true } });

  const queue = new Queue("peer", { connection, defaultJobOptions: { removeOnComplete: true } });
  for (let from = 0; from < total; from += BULK) {
    const size = Math.min(BULK, total - from);
    await queue.addBulk(Array.from({ length: size }, (_, i) => ({ name: "n", data: { user: `w${(from + i) % WRITERS}` } })));
  }

  let done = 0, first = 0, before;
  await new Promise((resolve, reject) => {
    const work = ({ data }) => counters.updateOne({ _id: data.user }, { $inc: { count: 1 } }, { upsert: true });
    const worker = new Worker("peer", work, { connection, concurrency: CONCURRENCY });
    worker.on("failed", (job, error) => reject(error));
    worker.on("error", reject);
    worker.on("completed", async () => {
      const now = process.hrtime.bigint();
      if (!done) [first, before] = [now, process.cpuUsage()];
      if (++done < total) return;
      const { user, system } = process.cpuUsage(before);
      console.log(JSON.stringify({ seconds: Number(now - first) / 1e9, cpu: (user + system) / 1e6, jobs: done }));
      await worker.close();
      resolve();
    });
  });
  await queue.close();
  await client.close();
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
