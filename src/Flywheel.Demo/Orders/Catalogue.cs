namespace Flywheel.Demo.Orders;

/// <param name="Firmware">Newest version; null for a device that has none.</param>
sealed record Product(
    int Id, string Name, string Category, string ModelNumber, string? Firmware, decimal PriceEur, int WarrantyYears);

/// <summary>What the shop sells, and by subscription.</summary>
static class Catalogue
{
    public static IReadOnlyList<Product> Products =>
    [
        new(1, "Brewla 200", "espresso machine", "BR-200-E", null, 349.00m, 3),
        new(2, "Brewla Grind", "coffee grinder", "BR-G2", null, 89.90m, 2),
        new(3, "Pinta", "kettle", "PK-17", null, 39.90m, 2),
        new(4, "Toastwerk 4", "toaster", "TW-4S", null, 54.50m, 2),
        new(5, "Quirl", "hand blender", "QB-600", null, 44.90m, 2),
        new(6, "Dampf Pro", "steam iron", "DP-31", null, 69.00m, 2),
        new(7, "Aerion S", "air purifier", "AE-S1", "1.8.2", 129.00m, 2),
        new(8, "Aerion L", "air purifier", "AE-L1", "1.8.2", 249.00m, 3),
        new(9, "Krabbe R2", "robot vacuum", "KR-R2", "4.11.0", 399.00m, 2),
        new(10, "Nestor Hub", "smart home hub", "NE-HUB3", "3.2.7", 119.00m, 2),
        new(11, "Nestor Doorbell", "doorbell", "NE-DB2", "2.6.1", 149.00m, 2),
        new(12, "Nestor Cam 2", "camera", "NE-CAM2", "2.9.4", 99.00m, 2),
        new(13, "Nestor Thermostat", "thermostat", "NE-TH1", "1.4.0", 139.00m, 3),
        new(14, "Lumo Bulb", "smart lamp", "LU-E27", "1.1.5", 14.90m, 2),
        new(15, "Lumo Strip", "smart lamp", "LU-ST5", "1.1.3", 34.90m, 2),
        new(16, "Wavelet 6", "router", "WV-6", "6.0.9", 159.00m, 3),
        new(17, "Wavelet Mesh 3-pack", "router", "WV-M3", "6.0.9", 289.00m, 3),
        new(18, "Sonora Bar", "soundbar", "SO-B1", "2.3.0", 279.00m, 2),
        new(19, "Sonora Mini", "speaker", "SO-M1", "2.2.8", 79.00m, 2),
        new(20, "Vista 43", "television", "VI-43U", "7.1.2", 449.00m, 3),
        new(21, "Vista 55", "television", "VI-55U", "7.1.2", 699.00m, 3),
        new(22, "Frosta 180", "fridge", "FR-180", null, 529.00m, 5),
        new(23, "Tumbla 8", "washing machine", "TU-8W", "1.0.6", 589.00m, 5),
        new(24, "Tumbla Dry", "dryer", "TU-D8", "1.0.4", 549.00m, 5),
    ];

    public static IReadOnlyList<(string Plan, decimal MonthlyPriceEur)> Plans =>
    [
        ("Care", 4.90m), ("Care Plus", 9.90m), ("Filter Club", 12.50m), ("Bean Club", 18.00m), ("Cam Cloud", 5.90m),
    ];
}
