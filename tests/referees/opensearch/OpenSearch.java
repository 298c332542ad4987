import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessPlugin;
import org.opensearch.transport.Netty4Plugin;

/** Runs a node without security on the loopback interface; says where it is, and ends when its standard input does. */
class OpenSearch extends Node {
    OpenSearch(Settings settings) {
        super(
            InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "referee"),
            List.of(Netty4Plugin.class, PainlessPlugin.class, CommonAnalysisPlugin.class),
            true
        );
    }

    public static void main(String[] arguments) throws Exception {
        Settings settings = Settings.builder()
            .put("path.home", Path.of(arguments[0]))
            .put("cluster.name", "referee")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", "0")
            .put("transport.port", "0")
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            .put("http.max_content_length", arguments[1])
            .put("cluster.routing.allocation.disk.threshold_enabled", false) // a full disk blocks new indices
            .build();
        try (OpenSearch node = new OpenSearch(settings)) {
            node.start();
            HttpServerTransport http = node.injector().getInstance(HttpServerTransport.class);
            System.out.println("http://" + http.boundAddress().publishAddress());
            while (System.in.read() >= 0) {
            }
        }
    }
}
