import java.io.FileInputStream;
import java.util.Map;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Asks veraPDF whether a document keeps to standards: `Validate FILE ua1 2a`; a line for each, then one for each rule broken. */
public class Validate {
    public static void main(String[] given) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        for (int at = 1; at < given.length; at++) {
            PDFAFlavour standard = PDFAFlavour.byFlavourId(given[at]);
            try (PDFAParser document = Foundries.defaultInstance().createParser(new FileInputStream(given[0]), standard)) {
                PDFAValidator validator = Foundries.defaultInstance().createValidator(standard, false);
                ValidationResult found = validator.validate(document);
                System.out.println(given[at] + " " + (found.isCompliant() ? "kept" : "broken") + " " + found.getTotalAssertions());
                Map<String, String> broken = new TreeMap<>();
                for (TestAssertion assertion : found.getTestAssertions()) {
                    if (assertion.getStatus() == TestAssertion.Status.FAILED) {
                        String rule = assertion.getRuleId().getClause() + "-" + assertion.getRuleId().getTestNumber();
                        broken.putIfAbsent(rule, assertion.getMessage() + " " + assertion.getLocation().getContext());
                    }
                }
                broken.forEach((rule, message) -> System.out.println("  " + rule + ": " + message));
            }
        }
    }
}
