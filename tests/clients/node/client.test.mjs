// The official JavaScript client against a live API server: what its users do with it, from CRUD to informers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as k8s from "@kubernetes/client-node";

const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(config);
const namespace = "client-node";

const settings = (name, data = {}, labels = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, labels },
  data,
});
const create = (body) => core.createNamespacedConfigMap({ namespace, body });

/** The first value for which `take` is called, or an error after some seconds. */
function arrival(start) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("nothing came within 20 s")), 20_000);
    start((value) => {
      clearTimeout(timer);
      resolve(value);
    }, reject);
  });
}

before(() => core.createNamespace({ body: { metadata: { name: namespace } } }));
after(() => core.deleteNamespace({ name: namespace }));

test("create, read, replace, delete", async () => {
  const made = await create(settings("one", { color: "blue" }));
  assert.ok(made.metadata.creationTimestamp instanceof Date);
  made.data.color = "red";
  const replaced = await core.replaceNamespacedConfigMap({ name: "one", namespace, body: made });
  assert.notEqual(replaced.metadata.resourceVersion, made.metadata.resourceVersion);
  const read = await core.readNamespacedConfigMap({ name: "one", namespace });
  assert.deepEqual(read.data, { color: "red" });
  const gone = await core.deleteNamespacedConfigMap({ name: "one", namespace });
  assert.equal(gone.status, "Success");
  await assert.rejects(core.readNamespacedConfigMap({ name: "one", namespace }), { code: 404 });
});

test("a stale replace is a conflict, a second create too", async () => {
  const made = await create(settings("stale"));
  await core.replaceNamespacedConfigMap({ name: "stale", namespace, body: { ...made, data: { a: "1" } } });
  const again = core.replaceNamespacedConfigMap({ name: "stale", namespace, body: { ...made, data: { a: "2" } } });
  await assert.rejects(again, { code: 409 });
  await assert.rejects(create(settings("stale")), { code: 409 });
});

test("a list by labels, in pages", async () => {
  for (const name of ["a", "b", "c"]) await create(settings(`page-${name}`, {}, { page: "yes" }));
  const query = { namespace, labelSelector: "page in (yes)", limit: 2 };
  const first = await core.listNamespacedConfigMap(query);
  assert.equal(first.items.length, 2);
  const second = await core.listNamespacedConfigMap({ ...query, _continue: first.metadata._continue });
  const names = [...first.items, ...second.items].map((item) => item.metadata.name);
  assert.deepEqual(names, ["page-a", "page-b", "page-c"]);
});

for (const [strategy, body] of [
  ["JsonPatch", [{ op: "add", path: "/data", value: { a: "1" } }]],
  ["MergePatch", { data: { a: "1" } }],
  ["StrategicMergePatch", { data: { a: "1" } }],
  ["ServerSideApply", { apiVersion: "v1", kind: "ConfigMap", metadata: {}, data: { a: "1" } }],
]) {
  test(`patch: ${strategy}`, async () => {
    const name = strategy.toLowerCase();
    await create(settings(name));
    if (strategy === "ServerSideApply") body.metadata.name = name;
    const options = k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy[strategy]);
    const request = { name, namespace, body, fieldManager: "node", force: strategy === "ServerSideApply" || undefined };
    const patched = await core.patchNamespacedConfigMap(request, options);
    assert.deepEqual(patched.data, { a: "1" });
    assert.ok(patched.metadata.managedFields.some((each) => each.manager === "node"));
  });
}

test("objects of any kind by their own words", async () => {
  const made = await objects.create(settings("any", { a: "1" }));
  assert.equal(made.data.a, "1");
  const patch = { ...settings("any", { a: "2" }) };
  const patched = await objects.patch(patch, undefined, undefined, "node", undefined, k8s.PatchStrategy.MergePatch);
  assert.equal(patched.data.a, "2");
  const listed = await objects.list("v1", "ConfigMap", namespace);
  assert.ok(listed.items.some((item) => item.metadata.name === "any"));
  await objects.delete(made);
});

test("a deployment is scaled through its subresource", async () => {
  const labels = { app: "web" };
  const body = {
    metadata: { name: "web" },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "pytheas/hello:1" }] } },
    },
  };
  await apps.createNamespacedDeployment({ namespace, body });
  const scale = await apps.readNamespacedDeploymentScale({ name: "web", namespace });
  scale.spec.replicas = 3;
  delete scale.metadata.resourceVersion; // a controller writes too: whatever the newest is
  await apps.replaceNamespacedDeploymentScale({ name: "web", namespace, body: scale });
  const read = await apps.readNamespacedDeployment({ name: "web", namespace });
  assert.equal(read.spec.replicas, 3);
});

test("a watch tells of what comes", async () => {
  const watch = new k8s.Watch(config);
  let controller;
  const seen = await arrival((take, fail) => {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const told = (phase, object) => object.metadata.name === "watched" && take([phase, object.data]);
    watch
      .watch(path, { allowWatchBookmarks: true }, told, (error) => error && fail(error))
      .then((started) => {
        controller = started;
        return create(settings("watched", { a: "1" }));
      })
      .catch(fail);
  });
  controller.abort();
  assert.deepEqual(seen, ["ADDED", { a: "1" }]);
});

test("an informer lists, follows and keeps a cache", async () => {
  await create(settings("before", {}, { informer: "yes" }));
  const selector = "informer=yes";
  const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: selector });
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const informer = k8s.makeInformer(config, path, list, selector);
  const told = [];
  for (const verb of ["add", "update", "delete"])
    informer.on(verb, (object) => told.push(`${verb} ${object.metadata.name}`));
  const done = arrival((take, fail) => {
    informer.on("error", fail);
    informer.on("delete", take);
  });
  await informer.start();
  const made = await create(settings("later", {}, { informer: "yes" }));
  await core.replaceNamespacedConfigMap({ name: "later", namespace, body: { ...made, data: { a: "1" } } });
  await core.deleteNamespacedConfigMap({ name: "later", namespace });
  await done;
  await informer.stop();
  assert.deepEqual(told, ["add before", "add later", "update later", "delete later"]);
  assert.deepEqual(
    informer.list().map((each) => each.metadata.name),
    ["before"],
  );
});

test("the version, and who may what", async () => {
  const version = await config.makeApiClient(k8s.VersionApi).getCode();
  assert.equal(version.minor, "36");
  const reviews = config.makeApiClient(k8s.AuthorizationV1Api);
  const spec = { resourceAttributes: { verb: "create", resource: "pods", namespace } };
  const review = await reviews.createSelfSubjectAccessReview({ body: { spec } });
  assert.equal(review.status.allowed, true);
});
