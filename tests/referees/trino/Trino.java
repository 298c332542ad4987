/** Starts a Trino server of the jars on the class path; the argument is its version. */
class Trino {
    public static void main(String[] arguments) {
        new io.trino.server.Server().start(arguments[0]);
    }
}
