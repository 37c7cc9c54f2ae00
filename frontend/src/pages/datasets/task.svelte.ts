/** A build or an export, followed until it ends. */
import { get, type Schema } from "../../api/client";
import { asProblem, Problem } from "../../api/problem";

const PAUSE = 400;

export class Task {
  task = $state.raw<Schema<"DataSetTask"> | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);

  constructor(private readonly what: "build" | "export") {}

  /** Begin, and follow; resolves to what was made, null when it could not be. */
  async run(begin: () => Promise<Schema<"DataSetTask">>): Promise<string | null> {
    this.busy = true;
    this.problem = null;
    try {
      this.task = await begin();
      while (this.task.state === "waiting" || this.task.state === "running") {
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
        this.task = await get("/ml/datasets/work/{task_id}", { path: { task_id: this.task.id } });
      }
      if (this.task.state === "failed") throw new Problem(0, `The ${this.what} failed`, this.task.detail);
      return this.task.result;
    } catch (thrown) {
      this.problem = asProblem(thrown);
      return null;
    } finally {
      this.busy = false;
    }
  }
}
