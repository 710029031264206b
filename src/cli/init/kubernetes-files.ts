import { servingError } from "../../core/serving-error.js";
import { image } from "./docker-files.js";
import type { Project, ProjectFiles } from "./project.js";

/**
 * How a pod ends, in the order in which its time is spent; the sum is what Kubernetes gives it.
 *
 * ```
 * pod deleted --- sleepSeconds --- SIGTERM --- preStopDelayMs --- drain, terminationGracePeriodMs --- dispose, marginSeconds
 *     '-- taken out of the EndpointSlices meanwhile                                                        SIGKILL --'
 * ```
 */
const ending = {
  sleepSeconds: 5,
  preStopDelayMs: 5_000,
  terminationGracePeriodMs: 30_000,
  marginSeconds: 5,
} as const;

const endingSeconds =
  ending.sleepSeconds +
  (ending.preStopDelayMs + ending.terminationGracePeriodMs) / 1_000 +
  ending.marginSeconds;

/** What the port is called; clients name it in their targets. */
export const portName = "grpc";

/** Kubernetes takes no longer name for a Service: it is a label of DNS. */
const MAX_NAME_LENGTH = 63;

/** Names that YAML takes for something else. */
const YAML_WORDS: ReadonlySet<string> = new Set("true false null yes no on off y n".split(" "));

/**
 * Manifests that run the project's image on Kubernetes, and let its clients look for it there.
 *
 * @throws ConfigError `INVALID_OPTION` when no Service can have the project's name.
 */
export function kubernetesFiles({ packageName }: Pick<Project, "packageName">): ProjectFiles {
  if (packageName.length > MAX_NAME_LENGTH) {
    throw servingError(
      "INVALID_OPTION",
      `the name has ${packageName.length} characters (${packageName}), expected ${MAX_NAME_LENGTH} at most for Kubernetes`,
    );
  }
  const name = YAML_WORDS.has(packageName) ? `"${packageName}"` : packageName;
  return {
    "kubernetes/deployment.yaml": deployment(packageName, name),
    "kubernetes/service.yaml": service(name),
    "kubernetes/disruption-budget.yaml": disruptionBudget(name),
    "kubernetes/client-rbac.yaml": clientRbac(packageName),
  };
}

const label = (name: string): string => `app.kubernetes.io/name: ${name}`;

const deployment = (plain: string, name: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    ${label(name)}
spec:
  replicas: 3
  selector:
    matchLabels:
      ${label(name)}
  strategy:
    rollingUpdate:
      # A pod goes only when its successor is there, so that capacity never falls.
      maxUnavailable: 0
      maxSurge: 1
  # Time for clients to hear of a new pod and connect to it, before an old one goes.
  minReadySeconds: 5
  template:
    metadata:
      labels:
        ${label(name)}
    spec:
      # Kubernetes ends a pod by SIGKILL after so long, counted from its deletion. Spent on: ${ending.sleepSeconds} s of lifecycle.preStop,
      # ${ending.preStopDelayMs / 1_000} s of INFERWIRE_PRE_STOP_DELAY_MS, at most ${ending.terminationGracePeriodMs / 1_000} s of INFERWIRE_TERMINATION_GRACE_PERIOD_MS, and ${ending.marginSeconds} s for
      # dispose() and the process to end. Whoever changes one of them changes this.
      terminationGracePeriodSeconds: ${endingSeconds}
      # The host asks nothing of Kubernetes: no token that a stolen process could use.
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        # The image's user by its number: Kubernetes cannot tell that a name is not root.
        runAsUser: ${image.userId}
        runAsGroup: ${image.userId}
        # Lets that user read the token's file.
        fsGroup: ${image.userId}
        seccompProfile:
          type: RuntimeDefault
      # One node that ends takes as few of the pods along as can be.
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              ${label(name)}
      containers:
        - name: ${name}
          # Put yours here.
          image: registry.example/${plain}:0.1.0
          ports:
            - name: ${portName}
              containerPort: ${image.port}
          env:
            # All addresses of the pod: neither clients nor probes come from its loopback. So everybody in the cluster can
            # reach it, and it needs a token.
            - name: INFERWIRE_ENDPOINT
              value: ":${image.port}"
            # Read when the host starts: after a change of the Secret, "kubectl rollout restart".
            - name: INFERWIRE_TOKEN_FILE
              value: /var/run/secrets/inferwire/token
            # After SIGTERM the host says that it is not ready, and still serves for so long. When Kubernetes does not delete the
            # pod (the builtin term, a failed liveness probe) that is how clients hear of its end: longer than the
            # readiness probe takes to see it. Clients that find it by DNS want at least the TTL of the cluster's DNS.
            - name: INFERWIRE_PRE_STOP_DELAY_MS
              value: "${ending.preStopDelayMs}"
            # Then calls in progress have so long to end. Longer than INFERWIRE_REQUEST_TIMEOUT_MS; streams may want more.
            - name: INFERWIRE_TERMINATION_GRACE_PERIOD_MS
              value: "${ending.terminationGracePeriodMs}"
          lifecycle:
            # The pod leaves the EndpointSlices as soon as it is deleted, and clients hear of it within a second or two; it
            # answers as ever until then. SIGTERM comes after it. Before Kubernetes 1.30: exec, command ["sleep", "${ending.sleepSeconds}"].
            preStop:
              sleep:
                seconds: ${ending.sleepSeconds}
          # Until it has passed once, the other probes do not begin: initialize() and the warm-up may take 60 times 5 s.
          startupProbe:
            httpGet:
              path: /readyz
              port: ${portName}
            periodSeconds: 5
            timeoutSeconds: 2
            failureThreshold: 60
          # Whether it takes calls: when not, that is seen within 3 s. One late answer alone takes no pod out.
          readinessProbe:
            httpGet:
              path: /readyz
              port: ${portName}
            periodSeconds: 1
            timeoutSeconds: 1
            failureThreshold: 3
          # Whether its port answers at all; about 40 s, so that the host itself replaces a lane that hangs (after 30 s) before.
          livenessProbe:
            httpGet:
              path: /livez
              port: ${portName}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 4
          # Put what your model takes. No limit on CPU: a host that is put aside misses deadlines and heartbeats.
          resources:
            requests:
              cpu: "1"
              memory: 512Mi
            limits:
              memory: 1Gi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: token
              mountPath: /var/run/secrets/inferwire
              readOnly: true
      volumes:
        - name: token
          secret:
            secretName: ${plain}-token
            defaultMode: 0440
`;

const service = (name: string): string => `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  labels:
    ${label(name)}
spec:
  # Headless: clients see every pod and balance by themselves. Behind one address, each connection would stay with one pod.
  clusterIP: None
  # A pod is listed while its readiness probe passes, and no longer.
  publishNotReadyAddresses: false
  selector:
    ${label(name)}
  ports:
    - name: ${portName}
      port: ${image.port}
      targetPort: ${portName}
      # HTTP/2 without TLS, for whatever stands between.
      appProtocol: kubernetes.io/h2c
`;

const disruptionBudget = (name: string): string => `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: ${name}
  labels:
    ${label(name)}
spec:
  # Whoever empties nodes takes one pod after the other. Not minAvailable: with one replica no node could be emptied.
  maxUnavailable: 1
  # A pod that is not ready serves nobody, and may go at any time.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      ${label(name)}
`;

const clientRbac = (
  plain: string,
): string => `# What a client with a target kubernetes:///NAMESPACE/${plain}:${portName} must be allowed, in the namespace of the Service. Its pods run with
# "serviceAccountName: ${plain}-client". Clients that find the Service by DNS need nothing of this.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${plain}-client
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: ${plain}-client
rules:
  # Of all Services here: no rule can name the slices of one, for their names are made up.
  - apiGroups: [discovery.k8s.io]
    resources: [endpointslices]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: ${plain}-client
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: ${plain}-client
subjects:
  # Those of other namespaces too: one more with its "namespace".
  - kind: ServiceAccount
    name: ${plain}-client
`;
