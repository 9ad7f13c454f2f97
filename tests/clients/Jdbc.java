import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;

/**
 * What a BI tool does with pgjdbc: prints one line per answer, {@code <step> <answer>}.
 *
 * <p>Arguments: the address without the password, the user, the password.
 */
public final class Jdbc {
    // Without it the driver lists indexes as well.
    private static final String[] SHOWN = {"TABLE", "VIEW"};

    private Jdbc() {}

    public static void main(String[] arguments) throws SQLException {
        Properties login = new Properties();
        login.setProperty("user", arguments[1]);
        login.setProperty("password", arguments[2]);
        try (Connection connection = DriverManager.getConnection(arguments[0], login)) {
            describe(connection.getMetaData());
            types(connection);
            parameters(connection);
            streaming(connection);
            refusals(connection);
        }
    }

    private static void describe(DatabaseMetaData facts) throws SQLException {
        list("schemas", facts.getSchemas(null, "core"), "TABLE_SCHEM");
        list("tables", facts.getTables(null, "core", "%", SHOWN), "TABLE_NAME", "TABLE_TYPE", "REMARKS");
        list("columns", facts.getColumns(null, "core", "orders", "%"),
            "COLUMN_NAME", "TYPE_NAME", "COLUMN_SIZE", "DECIMAL_DIGITS", "REMARKS");
        list("primary-key", facts.getPrimaryKeys(null, "core", "orders"), "COLUMN_NAME", "KEY_SEQ");
        list("imported-key", facts.getImportedKeys(null, "core", "order_lines"),
            "PKTABLE_NAME", "PKCOLUMN_NAME", "FKCOLUMN_NAME");
        list("exported-key", facts.getExportedKeys(null, "core", "orders"),
            "FKTABLE_NAME", "FKCOLUMN_NAME");
        try (ResultSet indexes = facts.getIndexInfo(null, "core", "orders", true, true)) {
            while (indexes.next()) {
                say("unique-index", indexes.getString("COLUMN_NAME"));
            }
        }
        try (ResultSet known = facts.getTypeInfo()) {
            say("knows-types", known.next());
        }
    }

    private static void types(Connection connection) throws SQLException {
        String query = "select * from core.orders order by order_id limit 1";
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            ResultSetMetaData columns = rows.getMetaData();
            rows.next();
            for (int i = 1; i <= columns.getColumnCount(); i++) {
                Object value = rows.getObject(i);
                Object shown = value instanceof Array list
                    ? Arrays.toString((Object[]) list.getArray()) : value;
                if (columns.getColumnTypeName(i).equals("timestamptz")) {
                    shown = rows.getObject(i, OffsetDateTime.class);
                }
                say("value", columns.getColumnName(i) + " "
                    + (value == null ? "null" : value.getClass().getSimpleName()) + " " + shown);
            }
        }
    }

    private static void parameters(Connection connection) throws SQLException {
        String query = "select order_id from core.orders where order_date >= ? and net_amount < ?"
            + " and is_counted = ? and order_id <> ? and ordered_at < ? and version_number <= ?";
        // From the sixth use on the driver prepares it on the server and takes values in binary.
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            for (int use = 1; use <= 7; use++) {
                statement.setDate(1, Date.valueOf(LocalDate.of(2011, 1, 2)));
                statement.setBigDecimal(2, new BigDecimal("3.75"));
                statement.setBoolean(3, true);
                statement.setString(4, "o'; drop table core.orders; --");
                statement.setObject(5, OffsetDateTime.parse("2011-01-02T00:00:00+01:00"));
                statement.setInt(6, 2);
                list("parameters-" + use, statement.executeQuery(), "order_id");
            }
        }
    }

    private static void streaming(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(1000);
            String query = "select n from core.orders, generate_series(1, 20000) as numbers (n)";
            try (ResultSet rows = statement.executeQuery(query)) {
                long sum = 0;
                while (rows.next()) {
                    sum += rows.getLong(1);
                }
                say("streamed", sum);
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    private static void refusals(Connection connection) throws SQLException {
        for (String query : List.of(
                "select * from core.nothing", "selec 1", "create table core.mine (n int)",
                "insert into core.orders (order_id) values ('o9')")) {
            try (Statement statement = connection.createStatement()) {
                statement.execute(query);
                say("allowed", query);
            } catch (SQLException refused) {
                say("refused", refused.getSQLState());
            }
        }
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            statement.execute("select pg_sleep(30)");
        } catch (SQLException ended) {
            say("timed-out", ended.getSQLState());
        }
        list("usable", connection.createStatement().executeQuery("select 1 as one"), "one");
    }

    private static void list(String step, ResultSet rows, String... names) throws SQLException {
        try (rows) {
            while (rows.next()) {
                List<String> values = new ArrayList<>();
                for (String name : names) {
                    values.add(rows.getString(name));
                }
                say(step, String.join(" | ", values));
            }
        }
    }

    private static void say(String step, Object answer) {
        System.out.println(step + " " + answer);
    }
}
