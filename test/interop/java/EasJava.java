import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONArray;
import com.alibaba.fastjson.JSONObject;
import com.aliyun.openservices.eas.predict.http.HttpConfig;
import com.aliyun.openservices.eas.predict.http.PredictClient;
import com.aliyun.openservices.eas.predict.request.TFDataType;
import com.aliyun.openservices.eas.predict.request.TFRequest;
import com.aliyun.openservices.eas.predict.request.TorchDataType;
import com.aliyun.openservices.eas.predict.request.TorchRequest;
import com.aliyun.openservices.eas.predict.response.TFResponse;
import com.aliyun.openservices.eas.predict.response.TorchResponse;
import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4FrameOutputStream;
import net.jpountz.lz4.LZ4FrameOutputStream.BLOCKSIZE;
import net.jpountz.lz4.LZ4FrameOutputStream.FLG.Bits;
import org.xerial.snappy.Snappy;

/**
 * Judges hosts and a directory with EAS's own Java SDK: `EasJava PORTS`, PORTS as eas-hosts.mjs prints them;
 * `EasJava PORTS stored` calls with no directory there, by the list that an earlier run has stored under its home folder.
 */
public final class EasJava {
  private static final String TOKEN = "interop";
  private static final HttpConfig CONFIG = new HttpConfig();
  private static JSONObject ports;
  private static int passed = 0;

  public static void main(String[] args) throws Exception {
    // Without this the SDK writes to a log file of its own.
    org.apache.log4j.Logger.getRootLogger().setLevel(org.apache.log4j.Level.OFF);
    ports = JSON.parseObject(new String(Files.readAllBytes(Paths.get(args[0])), StandardCharsets.UTF_8));
    // It also prints the stack of every failed call.
    PrintStream errors = System.err;
    System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    try {
      if (args.length > 1) stored();
      else {
        gateway();
        refusals();
        direct();
        moving();
        tensors();
        compressed();
      }
    } catch (Throwable error) {
      error.printStackTrace(errors);
      // The SDK's own threads would keep the program alive.
      System.exit(1);
    }
    System.out.println(passed + " passed, 0 failed");
    System.exit(0);
  }

  private static void check(String name, boolean ok, Object... seen) {
    String line = "Java SDK: " + name + (seen.length == 0 ? "" : " " + Arrays.deepToString(seen));
    if (!ok) {
      System.out.println("FAILED " + line);
      System.exit(1);
    }
    passed += 1;
    System.out.println("ok " + line);
  }

  private static PredictClient client(String service, String token) {
    PredictClient client = new PredictClient(CONFIG).setModelName(service);
    return token == null ? client : client.setToken(token);
  }

  private static PredictClient gateway(String host, String service, String token) {
    return client(service, token).setEndpoint("127.0.0.1:" + ports.getIntValue(host));
  }

  private static PredictClient direct(String service) {
    return client(service, TOKEN).setDirectEndpoint("127.0.0.1:" + ports.getIntValue("directory"));
  }

  /** What the host has answered, by status, to one call that is not to succeed. */
  private static Map<String, Integer> refused(String host, PredictClient client, String body) throws Exception {
    Map<String, Integer> before = statuses(host);
    try {
      client.predict(body);
    } catch (Exception error) {
      return grown(before, statuses(host));
    }
    throw new IllegalStateException("the call has succeeded");
  }

  private static JSONObject http(String url, String body) throws IOException {
    HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
    connection.setRequestProperty("Authorization", TOKEN);
    connection.setReadTimeout(10_000);
    if (body != null) {
      connection.setDoOutput(true);
      try (OutputStream out = connection.getOutputStream()) {
        out.write(body.getBytes(StandardCharsets.UTF_8));
      }
    }
    return JSON.parseObject(new String(connection.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
  }

  private static JSONObject control(String order) throws IOException {
    return http("http://127.0.0.1:" + ports.getIntValue("control") + "/", order);
  }

  private static JSONObject take(String service) throws IOException {
    return control("{\"service\":\"" + service + "\"}");
  }

  /** How many calls of each status a host has answered, refusals included. */
  private static Map<String, Integer> statuses(String host) throws IOException {
    JSONObject monitor = http("http://127.0.0.1:" + ports.getIntValue(host) + "/api/builtin/monitor", null);
    Map<String, Integer> counts = new TreeMap<>();
    JSONArray methods = monitor.getJSONArray("methods");
    for (int i = 0; i < methods.size(); i++) {
      JSONObject method = methods.getJSONObject(i);
      if (!method.getString("door").equals("eas")) continue;
      counts.merge(method.getString("status"), method.getIntValue("count"), Integer::sum);
    }
    return counts;
  }

  private static Map<String, Integer> grown(Map<String, Integer> before, Map<String, Integer> after) {
    Map<String, Integer> grew = new TreeMap<>();
    after.forEach((status, count) -> grew.put(status, count - before.getOrDefault(status, 0)));
    grew.values().removeIf(count -> count == 0);
    return grew;
  }

  private static void gateway() throws Exception {
    check("gateway with a token", gateway("a", "probe", TOKEN).predict("hello").equals("hello"));
    check("gateway without a token", gateway("open", "open", null).predict("hello").equals("hello"));
    byte[] bytes = new byte[5_000_000];
    for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) i;
    check("5 MB", Arrays.equals(gateway("a", "probe", TOKEN).predict(bytes), bytes));
    check("an empty body", gateway("a", "probe", TOKEN).predict(new byte[0]).length == 0);
    check("a Content-MD5 that lost its zeros", gateway("a", "probe", TOKEN).predict("n=110").equals("n=110"));
    String seen = gateway("a", "probe/v1/chat?uid=1&flag", TOKEN).predict("path");
    check("a sub-path and query in the service's name", JSON.parseObject(seen).getString("path").equals("/v1/chat"), seen);
    PredictClient typed = gateway("a", "probe", TOKEN).setContentType("application/json");
    // Signs application/octet-stream whatever it sends.
    check("a Content-Type that is not the signed one", typed.predict("hello").equals("hello"));
    PredictClient snappy = gateway("a", "probe", TOKEN).setIsCompressed(true);
    byte[] packed = Snappy.compress("hello".getBytes(StandardCharsets.UTF_8));
    check("setIsCompressed: digest of what is not sent, Snappy expected", Arrays.equals(snappy.predict(packed), "hello".getBytes(StandardCharsets.UTF_8)));
  }

  private static void refusals() throws Exception {
    Map<String, Integer> seen = refused("a", gateway("a", "probe", "wrong"), "hello");
    check("a wrong token", seen.equals(Map.of("401", 4)), seen);
    seen = refused("a", gateway("a", "other", TOKEN), "hello");
    check("another service's name", seen.equals(Map.of("404", 4)), seen);
    for (int status : new int[] {201, 204, 400, 404, 408, 429, 450, 500, 501, 502, 503, 504}) {
      seen = refused("a", gateway("a", "probe", TOKEN), "status " + status);
      check("status " + status, seen.equals(Map.of("" + status, 4)), seen);
    }
    seen = refused("a", gateway("a", "probe", TOKEN).setRetryCount(0), "sleep");
    check("the host's time limit", seen.equals(Map.of("408", 1)), seen);
    Thread occupied = new Thread(() -> {
      try {
        refused("full", gateway("full", "full", TOKEN).setRetryCount(0), "sleep");
      } catch (Exception error) {
        throw new IllegalStateException(error);
      }
    });
    occupied.start();
    Thread.sleep(300);
    PredictClient patient = gateway("full", "full", TOKEN);
    seen = refused("full", patient, "hello");
    check("a full queue", seen.equals(Map.of("450", 4)), seen);
    occupied.join();
    check("after a 450 and a closed connection the client goes on", patient.predict("hello").equals("hello"));
  }

  private static void direct() throws Exception {
    PredictClient client = direct("probe");
    check("direct", client.predict("hello").equals("hello"));
    take("probe");
    for (int i = 0; i < 600; i++) client.predict("hello");
    JSONObject shares = take("probe");
    int a = shares.getJSONObject("calls").getIntValue("a");
    // 400 expected by chance, 11.5 the standard deviation.
    check("direct: weights 2 and 1", a > 340 && a < 460, shares.toJSONString());
    take("crowd");
    PredictClient crowd = direct("crowd");
    for (int i = 0; i < 240; i++) crowd.predict("hello");
    JSONObject seen = take("crowd");
    check("twelve hosts", seen.getJSONObject("calls").size() == 12, seen.getIntValue("connections") + " connections");
    List<String> wrong = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch done = new CountDownLatch(8);
    for (int thread = 0; thread < 8; thread++) {
      String prefix = thread + "-";
      new Thread(() -> {
        try {
          for (int i = 0; i < 100; i++) {
            String body = prefix + i + "-".repeat(i);
            if (!client.predict(body).equals(body)) wrong.add(body);
          }
        } catch (Exception error) {
          wrong.add(error.toString());
        }
        done.countDown();
      }).start();
    }
    done.await();
    check("8 threads of one client: every answer is right", wrong.isEmpty(), wrong);
  }

  private static void moving() throws Exception {
    PredictClient client = direct("moving");
    client.predict("who");
    List<String> orders = new ArrayList<>(List.of("{\"start\":\"m4\"}", "{\"stop\":\"m2\"}", "{\"start\":\"m2\"}"));
    List<Integer> times = new ArrayList<>(List.of(1_000, 6_000, 12_000));
    Map<Integer, TreeSet<String>> answered = new TreeMap<>();
    List<String> lost = new ArrayList<>();
    take("moving");
    long began = System.currentTimeMillis();
    int calls = 0;
    for (int elapsed = 0; elapsed < 17_000; elapsed = (int) (System.currentTimeMillis() - began)) {
      if (!times.isEmpty() && elapsed > times.get(0)) {
        times.remove(0);
        control(orders.remove(0));
      }
      try {
        answered.computeIfAbsent(elapsed / 1_000, second -> new TreeSet<>()).add(client.predict("who"));
        calls++;
      } catch (Exception error) {
        lost.add(elapsed + " " + error);
      }
      Thread.sleep(10);
    }
    check("hosts join and leave: no call is lost", lost.isEmpty() && calls > 500, lost, calls);
    check("a new host is used within 4 s", answered.get(5).contains("m4"), answered.get(5));
    check("one that left is not", !answered.get(11).contains("m2"), answered.get(11));
    check("one that came back is", answered.get(16).contains("m2"), answered.get(16));
  }

  private static void tensors() throws Exception {
    PredictClient tensorflow = direct("tensorflow");
    TFRequest request = new TFRequest();
    request.setSignatureName("predict_images");
    float[] pixels = new float[784];
    Arrays.fill(pixels, 1);
    request.addFeed("images", TFDataType.DT_FLOAT, new long[] {1, 784}, pixels);
    request.addFeed("double", TFDataType.DT_DOUBLE, new long[] {2}, new double[] {1.0 / 3, -1e300});
    request.addFeed("int", TFDataType.DT_INT32, new long[] {2}, new int[] {Integer.MIN_VALUE, Integer.MAX_VALUE});
    request.addFeed("uint8", TFDataType.DT_UINT8, new long[] {2}, new int[] {0, 255});
    request.addFeed("long", TFDataType.DT_INT64, new long[] {2}, new long[] {Long.MIN_VALUE, Long.MAX_VALUE});
    request.addFeed("bool", TFDataType.DT_BOOL, new long[] {2}, new boolean[] {true, false});
    request.addFeed("string", TFDataType.DT_STRING, new long[] {2}, new String[] {"", "ü"});
    TFResponse answer = tensorflow.predict(request);
    check("TFRequest shape", answer.getTensorShape("images").equals(List.of(1L, 784L)));
    check("TFRequest floats", answer.getFloatVals("images").equals(Collections.nCopies(784, 1f)));
    check("TFRequest doubles", answer.getDoubleVals("double").equals(List.of(1.0 / 3, -1e300)));
    check("TFRequest int32", answer.getIntVals("int").equals(List.of(Integer.MIN_VALUE, Integer.MAX_VALUE)));
    check("TFRequest uint8", answer.getTensorShape("uint8").equals(List.of(2L)));
    check("TFRequest int64", answer.getInt64Vals("long").equals(List.of(Long.MIN_VALUE, Long.MAX_VALUE)));
    check("TFRequest bool", answer.getBoolVals("bool").equals(List.of(true, false)));
    check("TFRequest string", answer.getStringVals("string").equals(List.of("", "ü")));

    TorchRequest torch = new TorchRequest();
    torch.addFeed(0, TorchDataType.DT_FLOAT, new long[] {2}, new float[] {0.5f, -1f});
    torch.addFeed(1, TorchDataType.DT_DOUBLE, new long[] {1, 1}, new double[] {1.0 / 3});
    torch.addFeed(2, TorchDataType.DT_INT32, new long[] {1}, new int[] {-7});
    torch.addFeed(3, TorchDataType.DT_INT64, new long[] {1}, new long[] {-1L});
    TorchResponse torchAnswer = direct("pytorch").predict(torch);
    check("TorchRequest floats", torchAnswer.getFloatVals(0).equals(List.of(0.5f, -1f)));
    check("TorchRequest doubles", torchAnswer.getDoubleVals(1).equals(List.of(1.0 / 3)));
    check("TorchRequest shape", torchAnswer.getTensorShape(1).equals(List.of(1L, 1L)));
    check("TorchRequest int32", torchAnswer.getIntVals(2).equals(List.of(-7)));
    check("TorchRequest int64", torchAnswer.getInt64Vals(3).equals(List.of(-1L)));
    torch.addFetch(3);
    check("TorchRequest with a fetch", direct("pytorch").predict(torch).getInt64Vals(0).equals(List.of(-1L)));
  }

  /** As setCompressor of newer versions does it, with the same libraries; digest and signature are of the compressed form. */
  private static void compressed() throws Exception {
    byte[] plain = "compressed ".repeat(20_000).getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream gzip = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(gzip)) {
      out.write(plain);
    }
    ByteArrayOutputStream zlib = new ByteArrayOutputStream();
    try (OutputStream out = new DeflaterOutputStream(zlib)) {
      out.write(plain);
    }
    ByteArrayOutputStream frame = new ByteArrayOutputStream();
    Bits[] bits = {Bits.BLOCK_INDEPENDENCE, Bits.BLOCK_CHECKSUM, Bits.CONTENT_CHECKSUM};
    try (OutputStream out = new LZ4FrameOutputStream(frame, BLOCKSIZE.SIZE_64KB, bits)) {
      out.write(plain);
    }
    compressed("gzip", "Gzip", gzip.toByteArray(), plain);
    compressed("zlib", "Zlib", zlib.toByteArray(), plain);
    compressed("snappy", "Snappy", Snappy.compress(plain), plain);
    compressed("lz4", "LZ4", LZ4Factory.fastestInstance().fastCompressor().compress(plain), plain);
    compressed("lz4", "LZ4Frame", frame.toByteArray(), plain);
    compressed("zstd", "Zstd", Zstd.compress(plain), plain);
  }

  private static void compressed(String service, String name, byte[] body, byte[] plain) throws Exception {
    byte[] answer = direct(service).predict(body);
    check("compressed as " + name, Arrays.equals(answer, plain), body.length + " bytes for " + plain.length);
  }

  /** The directory has gone; the SDK has kept its last list on disk. */
  private static void stored() throws Exception {
    PredictClient client = client("probe", TOKEN).setDirectEndpoint("127.0.0.1:1");
    TreeSet<String> names = new TreeSet<>();
    for (int i = 0; i < 40; i++) names.add(client.predict("who"));
    check("a restart without a directory calls by the stored list", names.equals(new TreeSet<>(List.of("a", "b"))), names);
  }
}
